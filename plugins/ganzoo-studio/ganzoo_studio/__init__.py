"""The zoo in a browser: `ganzoo studio` opens a page for every model, `ganzoo gallery` writes one of all of them.

controls   what a form asks for, by what a generator declares        no gradio
asking     one press of a button: the command, the Python, the file  no gradio
shelf      models that are offered, and how long they stay loaded    no gradio
views      files as HTML                                             no gradio
verbs      commands that search, in a process with a time limit      no gradio
gallery    one static page                                           no gradio
server     what is served and what is refused
studio     the page: a model, and the pages that suit it
pages      one module each
space      the same as a folder for a Space
"""
