// Keeps the secret of a room's teacher in this tab of the browser: a reload begins a new session on the server.

const nameOf = (room) => `fracture class vote ${room}`;

export default function ({ data, setTriggerValue }) {
  try {
    if (data.secret) {
      sessionStorage.setItem(nameOf(data.room), data.secret);
    } else {
      const kept = sessionStorage.getItem(nameOf(data.room));
      if (kept) setTriggerValue("secret", kept);
    }
  } catch {
    // The browser allows no storage: the teacher's link still leads back.
  }
}
