// Starts what a page needs beyond HTML. While an engine is at work the page looks again by itself.
const WORKING_MS = 2000;

if (document.querySelector('[data-voice-bar][data-state="finishing"]')) {
  setTimeout(() => location.reload(), WORKING_MS);
}
