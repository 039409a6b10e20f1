"""From a score to something to look at: engraved pages, piano roll, films."""
