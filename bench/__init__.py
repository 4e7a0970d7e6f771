"""The benchmark suite: `python -m bench`, each row against its peers in the same run."""
