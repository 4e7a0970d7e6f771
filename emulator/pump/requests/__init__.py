"""What the pump does about each request."""
