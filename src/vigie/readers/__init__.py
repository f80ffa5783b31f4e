"""Readers: one module per format; `base` says what each promises."""
