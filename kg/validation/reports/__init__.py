"""Reports on passports and on other data, as text, pages, tables and graphs."""
