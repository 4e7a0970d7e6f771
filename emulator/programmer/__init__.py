"""The mock programmer: what a person holds in their hand to talk to a pump."""
