"""Logs of quite another nature than the simulator's: contacts, commands, messages, an archive.

Each module draws one kind of honest log from laws published about real data of that kind, with
none of the simulator's code; `thieves` adds thefts, `judging` tells how a detection fared.
"""
