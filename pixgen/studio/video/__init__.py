"""Video: recorded while a run paints, exported in other formats, and read as input.

Frames and videos come in. MP4, WebM, GIF and WebP files with their recipe go out."""
