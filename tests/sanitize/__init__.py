"""Running the suite on a build with AddressSanitizer and UBSan: `make sanitize`."""
