"""What is usual: for the account, its peers, its site; and the honest reasons to depart from it."""
