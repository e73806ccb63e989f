"""Networks of varistors: every weight is a varistor between a row and one column of a differential pair."""
