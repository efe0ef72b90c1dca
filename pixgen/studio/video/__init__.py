"""Video: recorded while a run paints, exported in other formats, and read as input.

In come pictures and videos. Out come MP4, WebM, GIF and WebP files that carry their recipe."""
