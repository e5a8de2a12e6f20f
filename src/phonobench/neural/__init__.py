"""The only place of torch: front ends, encoders, one training loop, inference."""
