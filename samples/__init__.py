"""Sample invoices, and the script that makes them. Nothing of them comes from a real document."""
