"""Forget a person where DVC and Prefect have something of them."""
