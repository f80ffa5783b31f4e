"""Notices: what is told to whom, from one set of facts, in the words that the law asks for.

Names come from the operator's own register, here and in `vigie.delivery` alone.
"""
