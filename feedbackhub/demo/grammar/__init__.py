"""The sentences the demo corpus is made of: tables of words and clauses, and a small expander."""
