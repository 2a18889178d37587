"""The whole loop, once, as its users live it."""
