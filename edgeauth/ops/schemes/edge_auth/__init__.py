"""The signed header ``Edge-Auth``, as the operator's tools see it."""
