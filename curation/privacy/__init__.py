"""Privacy: erasing a subject, and keeping each table no longer than agreed."""
