"""
productpage: the page people see, and the API over the other services. Owns the layout, the login and the product list.

Imported by `bookinfo.main` only.
"""
