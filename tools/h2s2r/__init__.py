"""The whole chain as one command."""
