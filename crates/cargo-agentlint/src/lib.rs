//! The command line of agentlint.
