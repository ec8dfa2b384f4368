//! Turns an alert stream into a few ranked incidents.
