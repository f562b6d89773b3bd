"""The reference of ``report.json``, and the page's types, made from the structs."""
