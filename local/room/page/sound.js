// Sounds of the room, off at first: a soft ring, and the spoken words by the browser's own voice.

import { factsOf, model } from "./model.js";
import { onlyPhone, ringing } from "./phones.js";
import { keepPreference, preference } from "./prefs.js";
import { transcript } from "./speech.js";
import { moment } from "./words.js";

const RING_MS = 3000;
const RING = { hertz: [440, 480], volume: 0.03, secs: 0.9 };
const SPOKEN = /^(?:voice|assistant|\+\d+): (.*)$/s;

let isOn = preference("sound", false);
let since = Date.now();
let audio = null;
let bell = null;
const said = new Set();

/** The button that switches the sounds on and off. */
export function soundButton(button) {
  const draw = () => {
    button.textContent = "♪";
    button.setAttribute("aria-pressed", String(isOn));
    button.setAttribute("aria-label", "Sound");
    button.title = isOn ? "Sound is on: a soft ring, and the browser speaks the words" : "Sound is off";
  };
  button.addEventListener("click", () => {
    isOn = !isOn;
    since = Date.now();
    keepPreference("sound", isOn);
    if (!isOn) globalThis.speechSynthesis?.cancel();
    draw();
    playSounds();
  });
  draw();
}

/** Ring while a phone rings, and speak the words that have come since the last call. */
export function playSounds() {
  const rings = Boolean(ringing());
  if (rings && !bell) {
    bell = setInterval(ring, RING_MS);
    ring();
  }
  if (!rings && bell) {
    clearInterval(bell);
    bell = null;
  }
  if (isOn && model.ready) for (const words of onlyPhone ? wordsOfPhone() : wordsOfCall()) speak(words);
}

function ring() {
  // A browser lets a page vibrate and sound only after the user has touched the page.
  if (!navigator.userActivation?.hasBeenActive) return;
  if (onlyPhone) navigator.vibrate?.([300, 200, 300]);
  if (!isOn) return;
  audio ??= new AudioContext();
  const volume = audio.createGain();
  volume.gain.value = RING.volume;
  volume.connect(audio.destination);
  for (const hertz of RING.hertz) {
    const tone = audio.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(volume);
    tone.start();
    tone.stop(audio.currentTime + RING.secs);
  }
}

/** The words that the window's only phone hears, with a key for each and the speaker. */
const wordsOfPhone = () =>
  factsOf("leg").filter(([, leg]) => leg.number === onlyPhone)
    .flatMap(([id, leg]) => leg.heard.map(({ at, what }, nth) => ({ key: `${id}/${nth}`, at: moment(at), text: SPOKEN.exec(what)?.[1], speaker: what.split(":")[0] })));

/** The spoken words of the chosen conversation. */
const wordsOfCall = () =>
  transcript(model.chosen).filter(({ inserted }) => !inserted)
    .map(({ message, at, speaker }, nth) => ({ key: `${model.chosen}/${nth}`, at, text: message.content, speaker: speaker?.leg.number ?? message.role }));

function speak({ key, at, text, speaker }) {
  if (!text || at < since || said.has(key)) return;
  said.add(key);
  const words = new SpeechSynthesisUtterance(text);
  // Each person has an own pitch; the assistant and the voices of Partyline have the usual pitch.
  words.pitch = speaker.startsWith("+") ? 0.6 + (Number(speaker.slice(-2)) % 9) / 10 : 1;
  speechSynthesis.speak(words);
}
