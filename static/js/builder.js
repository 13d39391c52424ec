// The builder draws its form anew while somebody types in it: what they are typing stays.
"use strict";
Idiomorph.defaults.ignoreActiveValue = true;
