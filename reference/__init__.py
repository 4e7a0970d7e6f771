"""What writes the generated parts of the documents; nothing that runs needs it."""
