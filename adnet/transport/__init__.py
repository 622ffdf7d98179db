"""The rooms between a request and the wire: retry > decipher > limits > sign > transport."""
