"""From a recording to a melody."""
