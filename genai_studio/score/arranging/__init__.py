"""From a melody to a piece: harmony, players and their figures, introduction and ending, variation."""
