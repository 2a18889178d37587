"""Which labels are trained on: a threshold on their quality, previewed before it is set."""
