//! Which cryptography TLS uses.

/// Before the first client that may speak TLS is made: each asks for the process's choice.
pub fn choose_cryptography() {
    // Fails where the process has chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
