"""Fine-tuning: head and upper blocks together, on augmented images."""
