/** The page for everybody: by keyboard alone, for those who hear it, in the dark, on a phone and on a wall. */
import "./everybody/keys.ts";
import "./everybody/places.ts";
import "./everybody/login.ts";
