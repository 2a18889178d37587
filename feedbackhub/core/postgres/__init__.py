"""Django's backend for PostgreSQL, with a health check that asks the socket, not the server."""
