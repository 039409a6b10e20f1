"""From a job to its outputs: the ledger, the workers, the memory budget and the live events."""
