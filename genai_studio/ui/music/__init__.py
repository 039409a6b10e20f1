"""The music room behind its tab: the piece on the sheet, its takes and versions, the prompt's chips, own files."""
