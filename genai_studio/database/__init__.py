"""The one database of a data folder: tables of the ledger and the gallery, and the only way to read or write them."""
