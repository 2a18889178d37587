"""How far annotators agree, how right each one is, and what that makes of their answers."""
