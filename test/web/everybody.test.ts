/**
 * The page for everybody: by keyboard alone, for those who hear it, in the dark, on a phone and on a wall. The parts are modules
 * of one test, which share `room.ts`: each looks at what the one before it has left there.
 */
import "./everybody/keys.ts";
import "./everybody/places.ts";
import "./everybody/login.ts";
