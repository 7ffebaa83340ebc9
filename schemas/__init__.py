"""Ready-made schemas, each written as a user would write one."""
