"""The frame around the steps: sidebar, welcome and tour, dialogs, keyboard."""
