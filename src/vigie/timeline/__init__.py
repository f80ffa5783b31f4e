"""From the rows of several logs, late and out of order, to units of evidence in order of time.

With what every stage after it remembers by: numbers for keys and words, kept between batches.
"""
