"""The link: payloads arrive once, in order, or the link says that it is lost."""
