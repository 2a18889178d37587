"""The demo: a corpus that ships as code, and simulated end users to bring it to life."""
