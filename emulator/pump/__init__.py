"""The mock pump: a device that is driven by pump time and requests, and touches nothing else."""
