"""The lowest room: what every other room shares. It imports nothing of ours."""
