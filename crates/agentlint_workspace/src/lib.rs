//! All that touches the disk: cargo metadata, discovery, configuration, the parallel driver.
