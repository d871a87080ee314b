//! Places and ends: what is reached from each kind of file, and that no text is too much.
