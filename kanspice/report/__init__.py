"""Results, rendered: what every page, table and picture is made with, whatever it is about."""
