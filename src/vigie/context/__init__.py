"""What surrounds an access, said as marks: who knows the patient and why, how the session began."""
